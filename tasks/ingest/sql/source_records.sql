-- Records that were read one by one, or out of JSON: text columns under their own names.
read_parquet($files)
