-- Runs of customer lifetime value: the registry of their models, how those foretold a time they had not seen, and what
-- each customer is worth. All of it is kept for ever: a value of a past day is read, not computed again.
--
-- A run is visible once its row in clv_run stands, as with rfm_run.

-- +goose Up
CREATE TABLE IF NOT EXISTS clv_run
(
    run_id             UUID,
    as_of              Date,
    -- SHA-256 of the completed settings: runs with equal ones continue each other.
    settings_key       FixedString(64),
    -- A tandem.definition.v1.ClvDefinition as JSON, every default filled in.
    settings           String,
    customers          UInt64,
    -- Days on which customers bought, summed over customers.
    purchases          UInt64,
    base_currency      LowCardinality(String),
    -- First and last day with a counted transaction.
    data_from          Date,
    data_to            Date,
    historic           Decimal(38, 4),
    predictive         Decimal(38, 4),
    -- Customers with a predictive value.
    predicted          UInt64,
    -- The run of an earlier day with the same settings that this one is compared with; zeros when there is none.
    previous_run_id    UUID,
    previous_as_of     Date,
    computed_time      DateTime64(6, 'UTC'),
    -- Change time of the newest change in this database when the run started; 1970-01-01 when there was none.
    newest_event_time  DateTime64(6, 'UTC'),
    -- Whether every bundle of insights was acknowledged by NATS. It only ever turns from 0 to 1, so it is the version.
    insights_published UInt8
)
ENGINE = ReplacingMergeTree(insights_published)
ORDER BY run_id
COMMENT 'Runs of customer lifetime value with their settings and totals';

-- The registry. One row for each model that was fitted: for the values ("forecast") and, on a shorter past, for the
-- backtest ("holdout"). fit_group is empty for the model of all customers. NaN stands where the data can't tell.
CREATE TABLE IF NOT EXISTS clv_model
(
    run_id                  UUID,
    purpose                 LowCardinality(String),
    fit_group               LowCardinality(String),
    -- Last day that the model saw.
    data_to                 Date,
    -- Model of purchase counts; empty when it was refused, and refusal says why.
    model                   LowCardinality(String),
    refusal                 String,
    unit_days               UInt32,
    customers               UInt64,
    repeat_customers        UInt64,
    groups                  UInt64,
    parameter_names         Array(LowCardinality(String)),
    parameter_values        Array(Float64),
    parameter_errors        Array(Float64),
    parameter_lows          Array(Float64),
    parameter_highs         Array(Float64),
    log_likelihood          Float64,
    evaluations             UInt64,
    converged               UInt8,
    -- Repeat purchases expected of a new customer within the horizon, not discounted.
    expected_new            Float64,
    -- Models compared, best first, by the log-likelihood of customers they had not seen; errors of those that failed.
    choice_models           Array(LowCardinality(String)),
    choice_likelihoods      Array(Float64),
    choice_errors           Array(String),
    -- Gamma-Gamma for the amounts; without parameters when it was refused, and everybody then spends the mean.
    amount_refusal          String,
    amount_customers        UInt64,
    amount_mean             Float64,
    amount_names            Array(LowCardinality(String)),
    amount_values           Array(Float64),
    amount_errors           Array(Float64),
    amount_lows             Array(Float64),
    amount_highs            Array(Float64),
    amount_log_likelihood   Float64,
    amount_evaluations      UInt64,
    amount_converged        UInt8
)
ENGINE = MergeTree
ORDER BY (run_id, purpose, fit_group)
COMMENT 'Registry of lifetime-value models: parameters, data, likelihood, convergence';

-- fit_group is empty for all customers, each foretold by the model that serves the customer.
CREATE TABLE IF NOT EXISTS clv_backtest
(
    run_id                UUID,
    fit_group             LowCardinality(String),
    calibration_end       Date,
    holdout_days          UInt32,
    customers             UInt64,
    actual                Float64,
    -- By forecast: the model, everybody as before, everybody the mean.
    forecast_names        Array(LowCardinality(String)),
    forecast_totals       Array(Float64),
    forecast_absolutes    Array(Float64),
    forecast_squares      Array(Float64),
    -- By repeat purchases in the calibration; the last class also holds more.
    class_repeats         Array(UInt32),
    class_customers       Array(UInt64),
    class_actuals         Array(Float64),
    class_expecteds       Array(Float64),
    -- By what was foretold: lower edges of expected purchases.
    bin_froms             Array(Float64),
    bin_customers         Array(UInt64),
    bin_actuals           Array(Float64),
    bin_expecteds         Array(Float64),
    actual_amount         Float64,
    expected_amount       Float64
)
ENGINE = MergeTree
ORDER BY (run_id, fit_group)
COMMENT 'What models of a run foretold of its last days without having seen them, and what came';

-- Key and partition as in rfm_score. Attributes of the customer are those of the moment of the run, so that slices of the
-- past do not change when a customer moves. NULL stands where no model could be fitted.
CREATE TABLE IF NOT EXISTS clv_value
(
    run_id               UUID CODEC(ZSTD(1)),
    as_of                Date CODEC(ZSTD(1)),
    customer_id          UInt64 CODEC(Delta, ZSTD(1)),
    kind                 LowCardinality(String) CODEC(ZSTD(1)),
    region_id            UInt64 CODEC(T64, ZSTD(1)),
    branch_id            UInt64 CODEC(T64, ZSTD(1)),
    manager_id           UInt64 CODEC(T64, ZSTD(1)),
    -- Division of NACE Rev. 2, two digits; empty for individuals.
    sector               LowCardinality(String) CODEC(ZSTD(1)),
    fit_group            LowCardinality(String) CODEC(ZSTD(1)),
    -- Repeat purchase days, days from the first purchase to the last one and to as_of.
    repeats              UInt32 CODEC(T64, ZSTD(1)),
    last_days            UInt32 CODEC(T64, ZSTD(1)),
    age_days             UInt32 CODEC(T64, ZSTD(1)),
    mean_amount          Float64 CODEC(ZSTD(1)),
    margin_share         Float64 CODEC(ZSTD(1)),
    historic             Decimal(38, 4) CODEC(ZSTD(1)),
    p_alive              Nullable(Float64) CODEC(ZSTD(1)),
    p_alive_low          Nullable(Float64) CODEC(ZSTD(1)),
    p_alive_high         Nullable(Float64) CODEC(ZSTD(1)),
    expected             Nullable(Float64) CODEC(ZSTD(1)),
    expected_low         Nullable(Float64) CODEC(ZSTD(1)),
    expected_high        Nullable(Float64) CODEC(ZSTD(1)),
    expected_amount      Nullable(Float64) CODEC(ZSTD(1)),
    predictive           Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    predictive_low       Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    predictive_high      Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    -- Values in the previous run; NULL when the customer was not in it.
    previous_historic    Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    previous_predictive  Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    -- Places in the run, 1 is best: by predictive value (then historic, then customer number) and by historic value.
    place                UInt64 CODEC(T64, ZSTD(1)),
    historic_place       UInt64 CODEC(T64, ZSTD(1)),
    PROJECTION predictive_first (SELECT * ORDER BY run_id, place),
    PROJECTION historic_first (SELECT * ORDER BY run_id, historic_place)
)
ENGINE = MergeTree
PARTITION BY toYear(as_of)
ORDER BY (run_id, customer_id)
COMMENT 'What customers are worth, by run';

-- What the models see of each customer while a run is computed, as rfm_value is for RFM. The c columns are the same at the
-- end of the calibration, c_age_days -1 for customers who came after it.
CREATE TABLE IF NOT EXISTS clv_customer
(
    run_id        UUID,
    customer_id   UInt64,
    kind          LowCardinality(String),
    region_id     UInt64,
    branch_id     UInt64,
    manager_id    UInt64,
    sector        LowCardinality(String),
    fit_group     LowCardinality(String),
    repeats       UInt32,
    last_days     UInt32,
    age_days      UInt32,
    mean_amount   Float64,
    margin_share  Float64,
    historic      Float64,
    first_date    Date,
    c_repeats     UInt32,
    c_last_days   UInt32,
    c_age_days    Int32,
    c_mean_amount Float64,
    later         UInt32,
    later_amount  Float64,
    stored_time   DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY customer_id
TTL stored_time + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Histories of customers of the lifetime-value run being computed';

-- What the models foretell, before places are known.
CREATE TABLE IF NOT EXISTS clv_prediction
(
    run_id          UUID,
    customer_id     UInt64,
    kind            LowCardinality(String),
    region_id       UInt64,
    branch_id       UInt64,
    manager_id      UInt64,
    sector          LowCardinality(String),
    fit_group       LowCardinality(String),
    repeats         UInt32,
    last_days       UInt32,
    age_days        UInt32,
    mean_amount     Float64,
    margin_share    Float64,
    historic        Decimal(38, 4),
    p_alive         Nullable(Float64),
    p_alive_low     Nullable(Float64),
    p_alive_high    Nullable(Float64),
    expected        Nullable(Float64),
    expected_low    Nullable(Float64),
    expected_high   Nullable(Float64),
    expected_amount Nullable(Float64),
    predictive      Nullable(Decimal(38, 4)),
    predictive_low  Nullable(Decimal(38, 4)),
    predictive_high Nullable(Decimal(38, 4)),
    stored_time     DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY tuple()
TTL stored_time + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Predictions of the lifetime-value run being computed';
