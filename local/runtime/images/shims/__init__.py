"""Small packages that are put into environments of frameworks. Nothing else imports them; they run from Python 3.7."""
