"""The consoles as a whole: what apps below cannot know of each other."""
