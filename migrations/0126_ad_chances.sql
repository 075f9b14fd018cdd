-- ad_chances: how likely ads are to be seen, finished and clicked, as it was learnt (workers/chance_learner.py);
-- the newest that can be read is in force. `examples` is what it rests on; the ratios are of what came over what
-- was expected, on later decisions than it has learnt of: by the set before it, and by itself. Whoever keeps it in
-- memory is told on the channel of its name.
CREATE TABLE ad_chances (
    published    bigint           NOT NULL PRIMARY KEY CHECK (published > 0),
    terms        json             NOT NULL,
    examples     bigint           NOT NULL,
    view_before  double precision NOT NULL,
    view_after   double precision NOT NULL,
    click_before double precision NOT NULL,
    click_after  double precision NOT NULL
);
