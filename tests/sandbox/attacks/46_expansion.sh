# Expansions that are longer than memory.
# expect: MLE|RE|CPU
# limits: memory=64M cpu=1
echo {1..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}
