"""The command `rootmark`: what a person or a script does at a terminal.

Commands are found through the entry-point group `rootmark.commands`; each entry names a function that adds
its commands to the application. Commands that talk to a server go through `registry.cli.client`; those that
need none say so.
"""
