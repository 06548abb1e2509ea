-- What a person prefers and allows by now, beside the histories: the view persons needs no join for it.

ALTER TABLE onethread.facts_persons
    ADD COLUMN IF NOT EXISTS preferences Map(String, String) AFTER acquisition_campaign,
    ADD COLUMN IF NOT EXISTS consent Map(String, Bool) AFTER preferences;
