"""Training on several processes, by MPI."""
