"""Puts and lists objects with boto3: s3_objects.py put|list|upload|download ENDPOINT BUCKET [FOLDER].

`put` takes names as JSON on standard input, and stores under each name the name itself. `list` prints a JSON object of the name and text
of each object. `upload` puts every file below FOLDER under its name there, `download` writes every object into FOLDER.
"""

import json
import sys
from pathlib import Path

import boto3

verb, endpoint, bucket, *folder = sys.argv[1:]
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
elif verb == "upload":
    root = Path(folder[0])
    for path in sorted(root.rglob("*")):
        if path.is_file():
            s3.put_object(Bucket=bucket, Key=str(path.relative_to(root)), Body=path.read_bytes())
elif verb == "download":
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            path = Path(folder[0]) / entry["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
else:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    texts = {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode() for name in names}
    json.dump(texts, sys.stdout)
