"""Puts and lists objects with boto3: s3_objects.py put|list ENDPOINT BUCKET, with names as JSON on standard input for `put`.

`put` stores under each name the name itself. `list` prints a JSON object of the name and text of each object.
"""

import json
import sys

import boto3

verb, endpoint, bucket = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    aws_access_key_id="test",
    aws_secret_access_key="test",
    region_name="us-east-1",
)
if verb == "put":
    for name in json.load(sys.stdin):
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
else:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    texts = {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode() for name in names}
    json.dump(texts, sys.stdout)
