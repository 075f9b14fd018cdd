"""A bidder of OpenRTB 2.6 as tests ask one: strict about what it is asked, broken at will."""
