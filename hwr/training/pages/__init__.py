"""What was found and read on whole pages against their transcriptions."""
