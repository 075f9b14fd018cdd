-- provenance: by what videos can be recognised (projections/provenance.py). Marks and hashes are 64
-- bits as a signed number; NULL where there is none.
CREATE TABLE provenance (
    generation_id   uuid   NOT NULL PRIMARY KEY,
    video_id        uuid,
    sha256          text   NOT NULL,
    watermark       bigint,
    perceptual_hash bigint,
    position        bigint NOT NULL
);
CREATE INDEX provenance_watermark ON provenance (watermark) WHERE watermark IS NOT NULL;
CREATE INDEX provenance_hashes ON provenance (perceptual_hash, video_id)
    WHERE perceptual_hash IS NOT NULL AND video_id IS NOT NULL;
CREATE INDEX provenance_position ON provenance (position);
