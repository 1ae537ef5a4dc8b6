# expect: CPU
# limits: cpu=0.3 wall=3
puts(('a' * 50 + 'bc') =~ /\A(a|a)*(a|aa)+\1?c\z/)
