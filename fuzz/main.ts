/** `npm run fuzz -- ...`: every decoder against random and mutated bytes. */
