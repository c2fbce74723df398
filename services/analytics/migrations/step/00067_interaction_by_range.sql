-- Interactions once more, in partitions. See 00005_interaction.sql for the columns and step.go for the way from there to here.
--
-- Without partitions a few rows with a second version made FINAL merge all rows of all years. A range of numbers that nobody has
-- changed for an hour is one part (see deploy/clickhouse/config.d), and FINAL reads that as it lies; what is left to merge is the
-- newest range or two, where the open cases are.
--
-- Partitions: ranges of the key, as all versions of a row must lie in one. Not of the day: it can be corrected. 2^18 are some
-- months of a bank with a million customers: one partition for a small bank, four hundred for a hundred million contacts. Numbers
-- are given in the order in which contacts are recorded, old ones that are imported, too: a batch of ingestion touches the newest
-- range and a few of those in which something changed, and so does each batch when the warehouse is filled again from the stream.
CREATE TABLE IF NOT EXISTS interaction_by_range AS interaction
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY intDiv(interaction_id, 262144)
ORDER BY interaction_id
COMMENT 'Calls, visits, complaints and requests, without subject and text'
