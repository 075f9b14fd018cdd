-- appeals: what people say against refusals of the screening, and what came of it (projections/appeals.py)
CREATE TABLE appeals (
    generation_id     uuid        NOT NULL PRIMARY KEY,
    statement         text        NOT NULL,
    state             text        NOT NULL CHECK (state IN ('open', 'upheld', 'overturned')),
    appealed_at       timestamptz NOT NULL,
    appealed_position bigint      NOT NULL,
    decided_by        uuid,
    decided_at        timestamptz,
    note              text,
    position          bigint      NOT NULL
);
CREATE INDEX appeals_state ON appeals (state, appealed_position);
CREATE INDEX appeals_position ON appeals (position);
