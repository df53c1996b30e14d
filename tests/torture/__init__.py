"""What is done to the running program until something is lost or said twice, or time is up; `make torture`."""
