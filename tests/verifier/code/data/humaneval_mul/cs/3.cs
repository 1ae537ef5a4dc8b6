        long balance = 0;
        return operations.Any(change => (balance += change) < 0);
