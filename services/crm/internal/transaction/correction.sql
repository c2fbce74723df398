-- A later version replaces the row; its account and day stay, so the partition does too.
UPDATE transaction t
SET version                = c.version,
    direction              = c.direction,
    kind                   = c.kind,
    amount                 = c.amount,
    currency               = c.currency,
    base_amount            = c.base_amount,
    rate_date              = c.rate_date,
    balance_after          = c.balance_after,
    balance_after_currency = c.balance_after_currency,
    purpose                = c.purpose,
    counterparty_bank      = c.counterparty_bank,
    counterparty_account   = c.counterparty_account,
    description            = c.description,
    state                  = c.state,
    card_id                = c.card_id,
    channel                = coalesce(c.channel, '')
FROM jsonb_populate_recordset(NULL::transaction, $1) c
WHERE t.transaction_id = c.transaction_id AND t.business_date = c.business_date
