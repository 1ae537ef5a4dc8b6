# problem: sorted
tail -n +2 | xargs -n 1 | sort -g | paste -sd ' '
