-- What every relation, column and macro means; docs/warehouse.md is generated from these.

COMMENT ON VIEW tracks IS 'Every track of the catalogue, played or not. One row per track.';
COMMENT ON COLUMN tracks.track_id IS 'Id of the track, byte for byte as in the input';
COMMENT ON COLUMN tracks.name IS 'Title';
COMMENT ON COLUMN tracks.artist IS 'Artist (creator)';
COMMENT ON COLUMN tracks.artists IS 'The artists one by one; NULL: unknown';
COMMENT ON COLUMN tracks.tags IS 'Tags in the order of the input, without repeats';
COMMENT ON COLUMN tracks.genre IS 'Genre; NULL: unknown';
COMMENT ON COLUMN tracks.year IS 'Year of release (often of a reissue); NULL: unknown';
COMMENT ON COLUMN tracks.spotify_preview_url IS 'Link to a preview of the track';
COMMENT ON COLUMN tracks.spotify_id IS 'Spotify id; not unique';
COMMENT ON COLUMN tracks.listeners IS 'Different listeners who played it';
COMMENT ON COLUMN tracks.plays IS 'Plays of it in all';
COMMENT ON COLUMN tracks.is_cold IS 'True: the release learned from no play of it, content alone places it';

COMMENT ON VIEW users IS 'Every listener who has played or dislikes a track of the catalogue. One row per listener.';
COMMENT ON COLUMN users.user_id IS 'Id of the listener, byte for byte as in the input';
COMMENT ON COLUMN users.tracks_played IS 'Different tracks played; 0: the listener has nothing but dislikes';
COMMENT ON COLUMN users.plays IS 'Plays in all';
COMMENT ON COLUMN users.segment IS 'History-length segment, see segments';
COMMENT ON COLUMN users.weight IS 'Collaborative share that suits this listener: the default weight';

COMMENT ON VIEW listens IS 'Who played what. One row per listener and track.';
COMMENT ON COLUMN listens.user_id IS 'Id of the listener';
COMMENT ON COLUMN listens.track_id IS 'Id of the track';
COMMENT ON COLUMN listens.plays IS 'Plays of the track by the listener, duplicates summed';

COMMENT ON VIEW dislikes IS 'What is not recommended to whom, by `plays.dislikes` of the dataset; empty without it. One row per listener and track.';
COMMENT ON COLUMN dislikes.user_id IS 'Id of the listener';
COMMENT ON COLUMN dislikes.track_id IS 'Id of the track, which is in no list of the listener and not among the listens';

COMMENT ON VIEW similar_tracks IS 'similar_to with its defaults, precomputed. One row per track and rank.';
COMMENT ON COLUMN similar_tracks.track_id IS 'The track whose neighbours these are';
COMMENT ON COLUMN similar_tracks.rank IS 'Place in the list, from 1';
COMMENT ON COLUMN similar_tracks.similar_track_id IS 'The neighbour';
COMMENT ON COLUMN similar_tracks.score IS 'Blend of both scores, 0 to 1, after the artist factor';
COMMENT ON COLUMN similar_tracks.collaborative_score IS 'Played by the same listeners, 1 = the closest neighbour';
COMMENT ON COLUMN similar_tracks.content_score IS 'Sounds and is tagged alike, 1 = the closest neighbour';
COMMENT ON COLUMN similar_tracks.source IS 'Signals that were there: hybrid, collaborative or content; fillers with score 0: same_artist, popular, catalogue';

COMMENT ON VIEW user_recommendations IS 'recommend_user with its defaults, precomputed. One row per listener and rank.';
COMMENT ON COLUMN user_recommendations.user_id IS 'Id of the listener';
COMMENT ON COLUMN user_recommendations.rank IS 'Place in the list, from 1';
COMMENT ON COLUMN user_recommendations.track_id IS 'The recommended track, never one that the listener has played or dislikes';
COMMENT ON COLUMN user_recommendations.score IS 'Blend of both scores, 0 to 1, after the artist factor';
COMMENT ON COLUMN user_recommendations.collaborative_score IS 'c'' of the scoring page, 0 to 1';
COMMENT ON COLUMN user_recommendations.content_score IS 'd of the scoring page, 0 to 1';
COMMENT ON COLUMN user_recommendations.source IS 'Signals that were there: hybrid, collaborative, content or popular; fillers with score 0: same_artist, popular, catalogue';
COMMENT ON COLUMN user_recommendations.because_track_id IS 'The played track that contributed most; NULL for popular';

COMMENT ON VIEW popular_tracks IS 'Most played tracks, overall and within each genre and tag. One row per scope and rank.';
COMMENT ON COLUMN popular_tracks.scope IS '''all'', or a genre or tag';
COMMENT ON COLUMN popular_tracks.rank IS 'Place by listeners within the scope, from 1';
COMMENT ON COLUMN popular_tracks.track_id IS 'Id of the track';
COMMENT ON COLUMN popular_tracks.listeners IS 'Different listeners who played it';
COMMENT ON COLUMN popular_tracks.plays IS 'Plays of it in all';

COMMENT ON VIEW segments IS 'Listeners by history length, with the defaults for each length. One row per segment.';
COMMENT ON COLUMN segments.segment IS 'Name of the segment: the range of tracks played';
COMMENT ON COLUMN segments.min_tracks IS 'Fewest different tracks played';
COMMENT ON COLUMN segments.max_tracks IS 'Most different tracks played; NULL: no limit';
COMMENT ON COLUMN segments.users IS 'Listeners in the segment';
COMMENT ON COLUMN segments.weight IS 'Default collaborative share for histories of this length';
COMMENT ON COLUMN segments.popularity IS 'Strength p of the popularity prior for histories of this length';
COMMENT ON COLUMN segments.neighbours_share IS 'Share of the score that comes from what other listeners of the same tracks play: weight / (1 + popularity)';
COMMENT ON COLUMN segments.popularity_share IS 'Share of the score that comes from popularity; 1 without a history';
COMMENT ON COLUMN segments.content_share IS 'Share of the score that comes from tracks that sound or are described alike: 1 - weight';

COMMENT ON VIEW segment_curve IS 'Quality measured for every weight and prior that was tried. One row per segment, weight, prior and metric.';
COMMENT ON COLUMN segment_curve.segment IS 'History-length segment';
COMMENT ON COLUMN segment_curve.weight IS 'Collaborative share tried';
COMMENT ON COLUMN segment_curve.popularity IS 'Prior strength tried';
COMMENT ON COLUMN segment_curve.metric IS 'Metric, as in evaluation';
COMMENT ON COLUMN segment_curve.value IS 'Mean over the held-out listeners';
COMMENT ON COLUMN segment_curve.ci_low IS 'Lower end of the 95 % bootstrap interval';
COMMENT ON COLUMN segment_curve.ci_high IS 'Upper end of the 95 % bootstrap interval';

COMMENT ON VIEW feature_weights IS 'How much each content feature counts. One row per feature; weights sum to 1.';
COMMENT ON COLUMN feature_weights.feature IS 'Content feature';
COMMENT ON COLUMN feature_weights.weight IS 'Share of the content similarity';

COMMENT ON VIEW evaluation IS 'Measured quality on held-out listeners, and on what was played after a cut where plays have times. One row per model, segment, metric and k.';
COMMENT ON COLUMN evaluation.model IS 'Model or blend';
COMMENT ON COLUMN evaluation.segment IS '''all'', a history segment (history:2-5) or a slice of tracks by listeners (listeners:0); with temporal: before it, of the temporal split, which has temporal:known and temporal:new too';
COMMENT ON COLUMN evaluation.metric IS 'Metric';
COMMENT ON COLUMN evaluation.k IS 'Length of the list that was judged';
COMMENT ON COLUMN evaluation.value IS 'Mean over the listeners';
COMMENT ON COLUMN evaluation.ci_low IS 'Lower end of the 95 % bootstrap interval';
COMMENT ON COLUMN evaluation.ci_high IS 'Upper end of the 95 % bootstrap interval';
COMMENT ON COLUMN evaluation.users IS 'Listeners measured';

COMMENT ON VIEW experiments IS 'What is being tried on whom. One row per experiment and variant.';
COMMENT ON COLUMN experiments.experiment IS 'Name of the experiment';
COMMENT ON COLUMN experiments.variant IS 'Name of the variant';
COMMENT ON COLUMN experiments.is_control IS 'True: what the other variants are compared with';
COMMENT ON COLUMN experiments.share IS 'Share of the listeners that the variant is for';
COMMENT ON COLUMN experiments.weight IS 'Collaborative share to serve, see variant_weight; NULL: the default';
COMMENT ON COLUMN experiments.preset IS 'The weight by name: content, balanced, collaborative or learned; NULL: none';
COMMENT ON COLUMN experiments.model IS 'Model whose release the app should query; NULL: this one';
COMMENT ON COLUMN experiments.release_id IS 'Release that the app should query; NULL: the current one';
COMMENT ON COLUMN experiments.starts_at IS 'First moment whose exposures count, UTC';
COMMENT ON COLUMN experiments.ends_at IS 'First moment whose exposures do not count any more, UTC';

COMMENT ON VIEW experiment_results IS 'What each variant changed, by listener (docs/experiments.md). Intervals may be read every day. One row per experiment, variant, segment and metric; empty without feedback.';
COMMENT ON COLUMN experiment_results.experiment IS 'Name of the experiment';
COMMENT ON COLUMN experiment_results.variant IS 'Name of the variant';
COMMENT ON COLUMN experiment_results.segment IS '''all'' or a history-length segment';
COMMENT ON COLUMN experiment_results.metric IS 'click_through_rate, plays_per_exposure, skip_rate, listening_seconds, return_day_1, return_day_7, return_day_30, subscription_rate or cancellation_rate';
COMMENT ON COLUMN experiment_results.users IS 'Listeners who were shown something in this variant';
COMMENT ON COLUMN experiment_results.exposures IS 'Tracks shown to them';
COMMENT ON COLUMN experiment_results.value IS 'The metric in this variant; NULL: withheld, or nothing to divide by';
COMMENT ON COLUMN experiment_results.lift IS 'Relative difference to the control, 0.05 = 5 % more; NULL: control, withheld or too little data';
COMMENT ON COLUMN experiment_results.ci_low IS 'Lower end of the interval of the lift, as safe read daily as once';
COMMENT ON COLUMN experiment_results.ci_high IS 'Upper end of it; NULL: no bounds yet';
COMMENT ON COLUMN experiment_results.p_value IS 'Smallest error level at which the interval would leave out 0';
COMMENT ON COLUMN experiment_results.information IS 'Share of the evidence planned until the end that is there, 0 to 1';
COMMENT ON COLUMN experiment_results.capped IS 'Listeners whose values are capped at a quantile, 0.999 by default';
COMMENT ON COLUMN experiment_results.as_of IS 'Until when the feedback reaches, UTC; dates far behind it are taken for wrong clocks';
COMMENT ON COLUMN experiment_results.complete_until IS 'Until when the outcomes of exposures are known, UTC; for returns, of first exposures. Later ones may still gain. NULL: no events';
COMMENT ON COLUMN experiment_results.note IS 'What to bear in mind: control, withheld and why, how many more listeners it takes';

COMMENT ON VIEW measured_weights IS 'The weight that did best with listeners beside the one chosen offline; nothing is adopted. One row per segment and experiment on weights.';
COMMENT ON COLUMN measured_weights.segment IS 'History-length segment';
COMMENT ON COLUMN measured_weights.experiment IS 'Name of the experiment';
COMMENT ON COLUMN measured_weights.offline_weight IS 'Weight in use, chosen on held-out listeners';
COMMENT ON COLUMN measured_weights.measured_weight IS 'Weight that is measurably best; NULL: none is';
COMMENT ON COLUMN measured_weights.metric IS 'Metric that decided';
COMMENT ON COLUMN measured_weights.lift IS 'Relative difference of it to the control';
COMMENT ON COLUMN measured_weights.ci_low IS 'Lower end of the interval of the lift, which holds for all variants and segments together';
COMMENT ON COLUMN measured_weights.ci_high IS 'Upper end of the interval of the lift';
COMMENT ON COLUMN measured_weights.note IS 'Why the two weights differ or agree';

COMMENT ON VIEW click_rates IS 'How often tracks are clicked, with the advantage of their place taken out. One row per segment and track with enough exposures.';
COMMENT ON COLUMN click_rates.segment IS '''all'' or a history-length segment';
COMMENT ON COLUMN click_rates.track_id IS 'Id of the track';
COMMENT ON COLUMN click_rates.exposures IS 'Times it was shown';
COMMENT ON COLUMN click_rates.clicks IS 'Times it was clicked';
COMMENT ON COLUMN click_rates.click_rate IS 'Clicks by exposures, as they are';
COMMENT ON COLUMN click_rates.corrected_click_rate IS 'Click rate it would have at the first rank';

COMMENT ON VIEW position_bias IS 'How often each rank is looked at. One row per rank.';
COMMENT ON COLUMN position_bias.rank IS 'Place in the list, from 1';
COMMENT ON COLUMN position_bias.exposures IS 'Tracks shown there';
COMMENT ON COLUMN position_bias.clicks IS 'Times they were clicked';
COMMENT ON COLUMN position_bias.click_rate IS 'Clicks by exposures';
COMMENT ON COLUMN position_bias.examination IS 'How often the rank is looked at, the first being 1';

COMMENT ON VIEW data_quality IS 'Checks of the input and the lake. One row per check.';
COMMENT ON COLUMN data_quality.check_name IS 'Name of the check';
COMMENT ON COLUMN data_quality.severity IS 'warn or stop';
COMMENT ON COLUMN data_quality.status IS 'passed, failed or skipped';
COMMENT ON COLUMN data_quality.observed IS 'What was measured';
COMMENT ON COLUMN data_quality.expected IS 'What was allowed, readable';
COMMENT ON COLUMN data_quality.details IS 'What it means here';

COMMENT ON VIEW rejected_rows IS 'Input rows that were set aside. One row per rejected record.';
COMMENT ON COLUMN rejected_rows.file IS 'Input file';
COMMENT ON COLUMN rejected_rows.record IS 'Record number; the header is record 1';
COMMENT ON COLUMN rejected_rows.reason IS 'Why it was rejected';
COMMENT ON COLUMN rejected_rows.raw IS 'The record as it was in the file; undecodable bytes as \xNN';

COMMENT ON VIEW release IS 'This release. One row.';
COMMENT ON COLUMN release.release_id IS 'Id of the release; ids sort by time';
COMMENT ON COLUMN release.schema_version IS 'Version of this contract';
COMMENT ON COLUMN release.created_at IS 'When it was built, UTC';
COMMENT ON COLUMN release.code_version IS 'Version of Crossfade that built it';
COMMENT ON COLUMN release.dataset IS 'Name of the dataset';
COMMENT ON COLUMN release.inputs IS 'Digest of every input file';
COMMENT ON COLUMN release.parameters IS 'Every parameter of the run, as JSON';
COMMENT ON COLUMN release.row_counts IS 'Rows of every relation';
COMMENT ON COLUMN release.stage_seconds IS 'Seconds each stage took; 0: its result was reused';
COMMENT ON COLUMN release.peak_memory_bytes IS 'Peak memory of all processes of the run together';
COMMENT ON COLUMN release.half_life_days IS 'Days after which a play of a listener''s history counts half in the sums of a list, by the listener''s own newest play; NULL: all plays count the same';
COMMENT ON COLUMN release.gamma IS 'γ: an unplayed track''s collaborative score is γ times its content score';
COMMENT ON COLUMN release.artist_factor IS 'δ: factor for each further track of an artist beyond the third above';
COMMENT ON COLUMN release.held_out_listeners IS 'Listeners that evaluation measured on, whose plays the measured model had not seen; 0: nothing was measured';
COMMENT ON COLUMN release.measured_model IS 'Digest of the neighbours that evaluation measured; NULL: nothing was measured';
COMMENT ON COLUMN release.published_model IS 'Digest of the neighbours that all lists are made of';
COMMENT ON COLUMN release.refitted IS 'True: after measuring, the published neighbours were learned once more, from all listeners; false: they are the measured ones';
COMMENT ON COLUMN release.gate IS 'What the gate compared before this release was published, and what came out, in words';
COMMENT ON COLUMN release.forced_by IS 'Who published it although the gate had refused it; NULL: the gate passed it';
COMMENT ON COLUMN release.forced_because IS 'Reason given for that';
COMMENT ON COLUMN release.base_release_id IS 'Release that this one is a refresh of: it has the models and the evaluation of that one; NULL: it is the release of a full run';

COMMENT ON MACRO TABLE recommend_user IS '`recommend_user(user_id, k := 20, weight := NULL, exclude := [], heard := false, per_artist := NULL, exclude_artists := [], new_artists := false, diversity := 0, calibrated := 0)`: recommendations for a listener. A listener who is not known gets the popular list, every row with the source `popular` or `catalogue`. `exclude` leaves out ids (shown yesterday, blocked), `heard := true` lets played tracks back in, `per_artist` is the most tracks of one artist, `exclude_artists` leaves out artists by name, `new_artists := true` those in the history. What the listener dislikes is always left out. The list stays full. `diversity` makes rows unlike each other, `calibrated` keeps genres in the shares that they have in the history: 0 not at all, 1 above all, of the {variety_pool} best tracks; both are constants or parameters, not subqueries.';
COMMENT ON MACRO TABLE recommend_tracks IS '`recommend_tracks(track_ids, k := 20, weight := NULL, exclude := [], per_artist := NULL, exclude_artists := [], new_artists := false, diversity := 0, calibrated := 0)`: recommendations for anyone with a few liked tracks.';
COMMENT ON MACRO TABLE similar_to IS '`similar_to(track_id, k := 10, weight := NULL, exclude := [])`: neighbours of a track; no rows for a track that is not in the catalogue.';
COMMENT ON MACRO TABLE user_candidates IS '`user_candidates(user_id, weight := NULL, exclude := [], heard := false)`: the whole ordered list for a listener, to the last eligible track, to filter.';
COMMENT ON MACRO TABLE track_candidates IS '`track_candidates(track_id, weight := NULL, exclude := [])`: the whole ordered list for a track, to the last eligible track, to filter; no rows for a track that is not in the catalogue.';
COMMENT ON MACRO TABLE candidates_for_tracks IS '`candidates_for_tracks(track_ids, weight := NULL, exclude := [])`: the whole ordered list for a few liked tracks, to the last eligible track, to filter.';
COMMENT ON MACRO TABLE recommend_users IS '`recommend_users(user_ids, k := 20, weight := NULL, exclude := [], heard := false, diversity := 0, calibrated := 0)`: `recommend_user` for many listeners, in the order of the ids. With no other argument the stored lists are read, for any number of listeners; else at most 1,000 different listeners in a call.';
COMMENT ON MACRO TABLE recommend_many IS '`recommend_many(lists, k := 20, weight := NULL, diversity := 0, calibrated := 0)`: `recommend_tracks` for many lists of liked tracks, at most 1,000 in a call; `position` is that of the list, from 1.';
COMMENT ON MACRO TABLE similar_to_many IS '`similar_to_many(track_ids, k := 10, weight := NULL)`: `similar_to` for many tracks, in the order of the ids. With no other argument the stored lists are read, for any number of tracks; else at most 1,000 different tracks in a call.';
COMMENT ON MACRO TABLE on_repeat IS '`on_repeat(user_id, k := 20, days := 28, exclude := [])`: what a listener plays now: tracks played more than once, the last time in the `days` days up to the listener''s own newest play, by how often and how recently. `score` grows with their presence (docs/times.md); ties by id. No rows for a listener who is not known or whose plays have no times.';
COMMENT ON MACRO TABLE rediscover IS '`rediscover(user_id, k := 20, days := 90, exclude := [])`: what a listener loved once and has not played lately: tracks played more often than the listener''s average one, but not in the `days` days up to the listener''s own newest play. `score` as in `on_repeat`. No rows for a listener who is not known or whose plays have no times.';
COMMENT ON MACRO TABLE new_for_user IS '`new_for_user(user_id, k := 20, weight := NULL, days := 28, exclude := [])`: what is new for a listener: of `user_candidates`, the tracks that came out or were first played within the last `days` days of the data (at most 365) and are neighbours of the history or by its artists. `score` is half the blend of both scores and half the root of the share of listeners beside the most listened new track (docs/times.md). No rows for a listener who is not known, or without times.';
COMMENT ON MACRO TABLE trending IS '`trending(scope, k := 20, exclude := [])`: tracks that win new listeners beyond their usual level; `scope` is ''all'', or a genre or tag. `score` is the share of their new listeners in the last days that is beyond it, less what chance allows: where nothing rises, 95 % of all catalogues have no row. No rows without times.';
COMMENT ON MACRO TABLE similar_artists IS '`similar_artists(artist, k := 10, weight := NULL, exclude := [])`: artists close to one, by their listeners and by content; 40 at most of each. Case, accents and white space of a name do not matter, here and in `artist_tracks`; each of several artists of a track counts. No rows for a name that is not in the catalogue. `weight` NULL is that of a history of one track; `exclude` has names.';
COMMENT ON MACRO TABLE artist_tracks IS '`artist_tracks(artist, k := 20, weight := NULL, exclude := [])`: the tracks of an artist, also those made with others: the most listened first, among equals the most typical; unplayed ones are placed by content. `weight` is the share of listeners, NULL: {artist_tracks_weight}; `because_track_id` is the artist''s track that is most like it.';
COMMENT ON MACRO TABLE recommend_artists IS '`recommend_artists(user_id, k := 20, weight := NULL, exclude_artists := [], new_artists := true)`: artists for a listener, each by its best track among the {artist_pool} that `recommend_user` has for them; `tracks` is how many it has among these. `new_artists := false` lets artists of the history in. A listener who is not known gets the artists of popular tracks.';
COMMENT ON MACRO TABLE continue_playlist IS '`continue_playlist(track_ids, k := 20, weight := NULL, exclude := [], per_artist := NULL)`: tracks to go on with after a list. The best of the {sequence_pool} that `recommend_tracks` has for the whole list, in that order, but no artist twice in a row, the last of the list included; where no other artist is left the rows end.';
COMMENT ON MACRO TABLE radio IS '`radio(track_ids, seed := 0, k := 50, weight := NULL, exclude := [], per_artist := 3)`: a long, varied list around a few tracks, in the order of playing: each row is like the one before in sound and taste, no artist twice in a row. It has the {radio_pool} tracks that `recommend_tracks` has for them; the same `seed`, a number or text, gives the same list, another one another list.';
COMMENT ON MACRO TABLE explain IS '`explain(track_a, track_b)`: why two tracks are close. One row; none if either id is unknown.';
COMMENT ON MACRO TABLE search_tracks IS '`search_tracks(text, k := 10, exclude := [])`: find tracks by name, artist or both; case, accents and typos are forgiven. Whole words and beginnings of words come before parts of words; among equals the most listened comes first.';
COMMENT ON MACRO variant IS '`variant(user_id, experiment)`: the variant that a listener belongs to, the same in every release and DuckDB version; NULL: takes no part, or there is no such experiment.';
COMMENT ON MACRO variant_weight IS '`variant_weight(user_id, experiment)`: the weight of that variant, to serve it: `FROM recommend_user(''a listener'', weight := variant_weight(''a listener'', ''an experiment''))`; NULL: the default.';
