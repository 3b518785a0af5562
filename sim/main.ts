/** `npm run sim -- <suite> ...`: whole clusters on virtual time, from seeds. */
