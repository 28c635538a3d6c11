// A page opened from a disk may not read others, which the search would quote.
DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";
