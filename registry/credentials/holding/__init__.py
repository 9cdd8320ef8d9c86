"""Those who hold credentials: their pages, their collection, what they share, and how they are forgotten.

A holder is whoever claimed a page by a link from the issuer, and is known by nothing but the tokens that they
keep. Nobody is identified, and nothing is joined that a holder did not join themselves.
"""
