-- Scores are laid down in the order of places behind each run, by a mutation that the run asks for at its end, and not while they
-- are inserted, which made each run longer. Until then a page of the best is found by reading the run. See 00008_rfm.sql.

-- +goose Up
ALTER TABLE rfm_score MODIFY SETTING materialize_projections_on_insert = 0;
