"""``cinema direct``: footage in, a job followed to its end, finished files in a folder."""
