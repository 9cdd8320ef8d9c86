"""Pages for people, served beside the API: HTML made here, small ES modules, nothing from elsewhere.

How a page comes about:

- a route (`api.web.routes`) calls one service, as the API's routes do, and hands what it got to
- `api.web.pages.render`, which fills a template (`templates/`) in the reader's language and sets the headers;
- texts are English in the templates; `locales/<language>/*.po` has the other languages (`api.web.texts`);
- `api.web.static` serves styles, modules and the vendored files in `static/vendor` under an address that
  changes with their content;
- `api.web.forms` reads what a form sends, and `api.web.csrf` refuses what another site made a browser send.

Every page works without scripts, except where it says so; scripts make it quicker to use.
"""
