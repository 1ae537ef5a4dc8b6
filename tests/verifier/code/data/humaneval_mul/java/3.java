        long balance = 0;
        for (long change : operations) {
            balance += change;
            if (balance < 0) return true;
        }
        return false;
