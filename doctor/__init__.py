"""Checks a real set-up before and after `pulumi up`: tells what is wrong and what mends it, and changes nothing."""
