//! Highlighting as a whole: what every language and every text must give.
