-- Whose an identifier was is kept without the identifier itself: the view takes its kind and value from where it is now.
ALTER TABLE onethread.facts_identifier_owners DROP COLUMN IF EXISTS kind, DROP COLUMN IF EXISTS value;
