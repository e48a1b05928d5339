"""What threadpoolctl has to know, to see and limit the threads of this package."""

from threadpoolctl import LibController

from tilewise import _core


class Controller(LibController):  # type: ignore[misc]
    """The process's number of threads, that of `tilewise.set_num_threads`; never a context's."""

    user_api = "blas"
    internal_api = "tilewise"
    filename_prefixes = ("_core.",)
    check_symbols = ("tilewise_get_num_threads",)  # of the extensions called _core, only ours

    def get_num_threads(self) -> int:
        return _core.get_num_threads()

    def set_num_threads(self, num_threads: int) -> None:
        _core.set_num_threads(num_threads)

    def get_version(self) -> None:
        """Return nothing: it is the package's."""
