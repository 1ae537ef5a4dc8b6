        ArrayList<Long> tops = new ArrayList<>();
        long top = Long.MIN_VALUE;
        for (long number : numbers) {
            top = Math.max(top, number);
            tops.add(top);
        }
        return tops;
