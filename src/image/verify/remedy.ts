/** What can be done about an image that lies about itself: the hint of every refusal of that kind. */
export const REMEDY = "it is damaged, or made to do harm: get it again from where it comes from";
