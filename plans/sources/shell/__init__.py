"""Shell, from text to changes: `syntax` reads bash, `walk` follows it, `commands` judges what is reached."""
