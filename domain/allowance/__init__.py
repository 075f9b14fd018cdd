"""The allowance: the seconds of video an account may ask for, of a window and of a balance."""
