-- A prediction holds what the models foretell. What is known of the customer and of the past stands in clv_customer already: it
-- does not travel through the service, and meets the prediction where places are found.

-- +goose Up
ALTER TABLE clv_prediction
    DROP COLUMN IF EXISTS kind,
    DROP COLUMN IF EXISTS region_id,
    DROP COLUMN IF EXISTS branch_id,
    DROP COLUMN IF EXISTS manager_id,
    DROP COLUMN IF EXISTS sector,
    DROP COLUMN IF EXISTS fit_group,
    DROP COLUMN IF EXISTS repeats,
    DROP COLUMN IF EXISTS last_days,
    DROP COLUMN IF EXISTS age_days,
    DROP COLUMN IF EXISTS mean_amount,
    DROP COLUMN IF EXISTS margin_share;
