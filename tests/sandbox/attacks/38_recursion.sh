# expect: RE|MLE|CPU
# never_prints: reached
# limits: memory=128M cpu=1
deep() { deep "$1"x; }
deep
echo reached
