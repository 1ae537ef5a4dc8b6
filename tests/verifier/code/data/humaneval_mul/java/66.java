        return s.chars().filter(Character::isUpperCase).sum();
