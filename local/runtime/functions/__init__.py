"""AWS Lambda on this machine: uploaded zips whose handlers run in processes of their own."""
