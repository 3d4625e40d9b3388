"""Jobs: plain functions that can be asked to run later, after the commit."""

from catalog.queue.jobs import REGISTRY, ImmediateQueue, Job, JobQueue, job, job_queue

__all__ = ["REGISTRY", "ImmediateQueue", "Job", "JobQueue", "job", "job_queue"]
