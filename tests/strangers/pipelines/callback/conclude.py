def lambda_handler(event, context):
    return {"verdict": "|".join(f"{name}={event[name]}" for name in sorted(event))}
