-- accounts: who is who (projections/accounts.py)
CREATE TABLE accounts (
    account_id       uuid        NOT NULL PRIMARY KEY,
    handle           text        NOT NULL UNIQUE,
    display_name     text        NOT NULL,
    bio              text        NOT NULL,
    avatar_upload_id uuid,
    age_band         text        NOT NULL,
    scopes           text[]      NOT NULL,
    invited_by       uuid,
    invitations_left bigint      NOT NULL,
    opened_at        timestamptz NOT NULL,
    version          bigint      NOT NULL,
    position         bigint      NOT NULL
);
CREATE INDEX accounts_position ON accounts (position);
CREATE INDEX accounts_invited_by ON accounts (invited_by, account_id);

-- invitations: every code and what became of it (projections/invitations.py)
CREATE TABLE invitations (
    invitation_id uuid        NOT NULL PRIMARY KEY,
    code          text        NOT NULL,
    issuer_id     uuid,
    state         text        NOT NULL CHECK (state IN ('open', 'redeemed', 'revoked')),
    redeemed_by   uuid,
    issued_at     timestamptz NOT NULL,
    position      bigint      NOT NULL
);
CREATE INDEX invitations_issuer ON invitations (issuer_id, position DESC);

-- revocations: accounts and sessions whose tokens, issued until then, are void
-- (projections/revocations.py)
CREATE TABLE revocations (
    subject_id uuid        NOT NULL PRIMARY KEY,
    revoked_at timestamptz NOT NULL
);
CREATE INDEX revocations_revoked_at ON revocations (revoked_at);
