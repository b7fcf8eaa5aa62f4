"""``python -m examples.flask_demo`` starts the site, its twin without consentry, and the stand-ins."""

import sys

from examples.flask_demo.run import main

if __name__ == "__main__":
    sys.exit(main())
