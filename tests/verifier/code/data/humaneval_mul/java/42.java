        ArrayList<Long> more = new ArrayList<>();
        for (long value : l) more.add(value + 1);
        return more;
