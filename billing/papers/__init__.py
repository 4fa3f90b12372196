"""Papers that anybody can check: the code and the QR on an issued document, and what is answered to who asks."""
