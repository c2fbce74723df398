UPDATE customer SET phone = $2, version = version + 1, updated_at = now() WHERE customer_id = $1
