"""IAM: moto answers, except for the policy simulator, which evaluates the policies that moto keeps."""
