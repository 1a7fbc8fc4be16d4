"""What each of the command's verbs does."""
