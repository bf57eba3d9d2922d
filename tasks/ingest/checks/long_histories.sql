-- Play records of listeners with more different tracks than a list can be made of, set aside.
-- warn: nothing
SELECT format('listener {} with {} tracks', user_id, tracks) AS offence, records AS rows
FROM long_histories
ORDER BY records DESC, user_id;
