"""The course in other languages: English is the source, PO files hold the translations.

    python3 -m tools.translation extract 03         # bring 03.po up to date with lesson 03
    python3 -m tools.translation export 03 --to F   # what is to be translated, as plain text
    python3 -m tools.translation import 03 F        # and back
    python3 -m tools.translation check 03           # what a translation has lost; the share
    python3 -m tools.translation build --to F       # the lessons in Chinese

`docs/translations.md` explains how it works and how to add a language.
"""
