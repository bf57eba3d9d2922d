-- The variant of an experiment that a listener belongs to, and its weight.
SELECT
    variant($user_id, $experiment) AS variant, variant_weight($user_id, $experiment) AS variant_weight
