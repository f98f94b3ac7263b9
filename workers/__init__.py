"""The service around hwr: jobs, queues, storage, HTTP and the command line."""
