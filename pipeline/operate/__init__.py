"""What the commands do with AWS: publish, start and follow, report, predict, roll back, tear down."""
